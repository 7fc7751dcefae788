import { page } from "fresh";
import { AccessForm } from "../components/AccessForm.tsx";
import { SignOut } from "../components/SignOut.tsx";
import { Hero } from "../components/Hero.tsx";
import Send from "../islands/Send.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { access } from "../lib/server/access.ts";
import { define } from "../lib/server/state.ts";

export const handler = define.handlers({
  GET: ({ req }) => page({ admitted: access.admits(req), signedIn: access.isSignedIn(req) }),
});

export default define.page<typeof handler>(({ data, req }) => {
  const { island, pages } = speechOf(req);
  if (!data.admitted) return <AccessForm t={pages} problem={null} />;
  return (
    <>
      <Hero />
      <Send texts={island} />
      {data.signedIn && <SignOut t={pages} />}
    </>
  );
});
