/**
 * What the page, the service worker, the routes and the manifest have to call by the same name.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The service worker's script. */
export const WORKER_PATH = "/sw.js";

/** Where the share sheet posts pictures to, as the manifest says. */
export const SHARE_PATH = "/share";

/** The form's field that they are in. */
export const SHARE_FIELD = "pictures";

/**
 * What the page asks the worker for: pictures that were shared with it. The answer comes by the
 * port: an array of files.
 */
export const SHARED = "shared?";

/** The page that is kept for when there is no connection. */
export const OFFLINE_PAGE = "/offline";

/** Its style sheet: the same file as every page's, by an address that no other page uses. */
export const OFFLINE_STYLES = "/styles.css?offline";
