import { fill, foreign } from "../lib/i18n/format.ts";
import type { InApp } from "../lib/device/in_app.ts";
import { CopyButton } from "./CopyButton.tsx";
import { useTexts } from "./texts.ts";

const BROWSERS = { android: "Chrome", ios: "Safari", other: null } as const;

/**
 * Tells people in an in-app browser to use a real one. They copy `link` and open it there. No link
 * can do that for them: the app that handled it would see the secret.
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
          app: inApp.name === "" ? t.invite.anotherApp : foreign(inApp.name),
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
