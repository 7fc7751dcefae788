import type { IncomingPicture } from "../lib/pictures/inbox.ts";
import { closingText } from "./closing.ts";
import { Status } from "./Status.tsx";
import { useTexts } from "./texts.ts";

/** Shown while no picture is arriving or on screen. */
export function NoPicture({ picture, keep }: { picture: IncomingPicture | null; keep: boolean }) {
  const t = useTexts();
  switch (picture?.state.at) {
    case undefined:
      return (
        <section class="card">
          <h1>{t.view.connectedTitle}</h1>
          <Status busy>{t.view.connected}</Status>
        </section>
      );
    case "closed":
    case "revoked":
    case "failed":
    case "lost":
      return (
        <section class="card">
          <div class="gone" aria-hidden="true" />
          <h1>{t.view.closedTitle}</h1>
          <p>{closingText(t, picture)}</p>
          {keep && <p>{t.view.connectedIdle}</p>}
        </section>
      );
    default:
      return null;
  }
}
