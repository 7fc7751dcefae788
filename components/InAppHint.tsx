import { fill } from "../lib/i18n/format.ts";
import type { InApp } from "../lib/device/in_app.ts";
import { CopyButton } from "./CopyButton.tsx";
import { useTexts } from "./texts.ts";

const BROWSERS = { android: "Chrome", ios: "Safari", other: null } as const;

/**
 * Tells who is inside of another app's browser. `link` is what is copied, for a real one: there is
 * no link that opens it, as whatever handles such a link would get to see the secret in it.
 */
export function InAppHint(
  { inApp, link }: { inApp: InApp | null; link: () => string | null },
) {
  const t = useTexts();
  if (inApp === null) return null;
  return (
    <aside class="in-app" data-field="in-app">
      <p>
        {fill(t.invite.inApp, {
          app: inApp.name || t.invite.anotherApp,
          browser: BROWSERS[inApp.system] ?? t.invite.usualBrowser,
        })}
      </p>
      <CopyButton
        action="copy-page"
        label={t.invite.copyPage}
        text={link}
        failed={t.invite.copyPageFailed}
      />
    </aside>
  );
}
