import type { PageTexts } from "../lib/i18n/texts.ts";

/** Makes this browser forget that the access key was entered; a plain form, without a script. */
export function SignOut({ t }: { t: PageTexts }) {
  return (
    <form method="post" action="/access?out">
      <button type="submit" data-action="sign-out">
        {t.access.out}
      </button>
    </form>
  );
}
