/**
 * Names that the page, the service worker, the routes and the manifest share.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The service worker's script. */
export const WORKER_PATH = "/sw.js";

/** Path that the share sheet posts pictures to, as in the manifest. */
export const SHARE_PATH = "/share";

/** Form field that holds the pictures. */
export const SHARE_FIELD = "pictures";

/**
 * Message by which the page asks the worker for pictures that people shared with the app. The
 * worker answers through the port with an array of files.
 */
export const SHARED = "shared?";

/** The page that is shown without a connection. */
export const OFFLINE_PAGE = "/offline";

/** Its style sheet: the same file as every page's, under a URL that no other page uses. */
export const OFFLINE_STYLES = "/styles.css?offline";
