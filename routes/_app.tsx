import { asset } from "fresh/runtime";
import { define } from "../lib/server/state.ts";

export default define.page(({ Component }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Ephemeral P2P Image</title>
      <link rel="icon" href={asset("/favicon.svg")} />
    </head>
    <body>
      <Component />
    </body>
  </html>
));
