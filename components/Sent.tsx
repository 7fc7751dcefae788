import { fill, number } from "../lib/i18n/format.ts";
import type { OutgoingPicture } from "../lib/pictures/outgoing_list.ts";
import { outcome } from "./outcome.ts";
import { useTexts } from "./texts.ts";

/** The outcome of the pictures that were sent back. */
export function Sent({ pictures }: { pictures: readonly OutgoingPicture[] }) {
  const t = useTexts();
  return (
    <>
      {pictures.map((picture) => (
        <p key={picture.n} class="small">
          {fill(t.joined.result, {
            picture: fill(t.send.pictureOf, {
              n: number(t, picture.n + 1),
              total: number(t, pictures.length),
            }),
            result: outcome(t, picture),
          })}
        </p>
      ))}
    </>
  );
}
