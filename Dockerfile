# The app and what it needs to run, without build or test tools. `docker build -t
# ephemeral-p2p-image .`

FROM denoland/deno:2.9.6 AS build
WORKDIR /app
# Files that change rarely are copied first, so that their layers are reused.
COPY deno.json deno.lock ./
COPY packages ./packages
COPY main.ts dev.ts ./
COPY static ./static
COPY lib ./lib
COPY locales ./locales
COPY components ./components
COPY islands ./islands
COPY routes ./routes
# The command of the task `build`.
RUN deno run -A --frozen dev.ts build
# A separate cache: the one above also contains the bundler.
RUN DENO_DIR=/runtime-cache deno cache --frozen \
  lib/server/serve.ts lib/server/healthcheck.ts _fresh/server.js

FROM denoland/deno:2.9.6
WORKDIR /app
ENV DENO_DIR=/runtime-cache DENO_NO_UPDATE_CHECK=1 PORT=3000
COPY --from=build /runtime-cache /runtime-cache
# dev.ts is not needed any more.
COPY --from=build /app/deno.json /app/deno.lock /app/main.ts ./
COPY --from=build /app/packages ./packages
COPY --from=build /app/lib ./lib
COPY --from=build /app/locales ./locales
COPY --from=build /app/components ./components
COPY --from=build /app/islands ./islands
COPY --from=build /app/routes ./routes
COPY --from=build /app/_fresh ./_fresh
# Files that a build leaves unchanged may be served from here: Fresh itself does so, while its
# stand-in copies them to _fresh/.
COPY --from=build /app/static ./static
# Files belong to root, and another user runs the server: it can't change its own code.
USER deno
# Pages, and STUN.
EXPOSE 3000/tcp 3000/udp
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["deno", "run", "--cached-only", "--frozen", "--allow-net", "--allow-env", \
    "--unsafely-ignore-certificate-errors", "lib/server/healthcheck.ts"]
# The permissions of the task `start`, and no downloads of code: everything is in the cache.
CMD ["deno", "run", "--cached-only", "--frozen", "--allow-net", \
  "--allow-read=_fresh,static,tls,/etc/letsencrypt,/run/secrets", "--allow-env", \
  "lib/server/serve.ts"]
