import { HttpError } from "fresh";
import { origins, rooms } from "../../lib/server/instance.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import { access } from "../../lib/server/access.ts";
import { clientOf, isLocal } from "../../lib/ops/client_address.ts";
import { config } from "../../lib/ops/config.ts";
import { define } from "../../lib/server/state.ts";

/** False if another server has the rooms. */
const hasRooms = config().SIGNALING_ORIGIN === "";

export const handler = define.handlers({
  GET({ req, info, params }) {
    if (!hasRooms) throw new HttpError(404);
    const room = params["room"] ?? "";
    const guest = {
      room,
      address: clientOf(req, info),
      local: isLocal(info),
      host: new URL(req.url).hostname,
      mayCreate: access.admits(req),
    };
    return upgradeToRoom(req, guest, { rooms, ...origins });
  },
});
