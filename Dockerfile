# The app and what it needs to run, nothing to build or test with. `docker build -t ephemeral-p2p-image .`

FROM denoland/deno:2.9.6 AS build
WORKDIR /app
# What changes seldom comes first, so that its layer is used again.
COPY deno.json deno.lock ./
COPY packages ./packages
COPY main.ts dev.ts ./
COPY static ./static
COPY lib ./lib
COPY locales ./locales
COPY components ./components
COPY islands ./islands
COPY routes ./routes
# What the task build runs.
RUN deno run -A --frozen dev.ts build
# A cache of its own: the one above also holds the bundler.
RUN DENO_DIR=/runtime-cache deno cache --frozen lib/server/serve.ts lib/server/healthcheck.ts _fresh/server.js

FROM denoland/deno:2.9.6
WORKDIR /app
ENV DENO_DIR=/runtime-cache DENO_NO_UPDATE_CHECK=1 PORT=3000
COPY --from=build /runtime-cache /runtime-cache
# dev.ts has done its work.
COPY --from=build /app/deno.json /app/deno.lock /app/main.ts ./
COPY --from=build /app/packages ./packages
COPY --from=build /app/lib ./lib
COPY --from=build /app/locales ./locales
COPY --from=build /app/components ./components
COPY --from=build /app/islands ./islands
COPY --from=build /app/routes ./routes
COPY --from=build /app/_fresh ./_fresh
# What a build leaves as it is may be served from where it lies: Fresh itself does so, its stand-in has copies in _fresh/.
COPY --from=build /app/static ./static
# Belongs to root, run by somebody else: the server can't change its own code.
USER deno
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["deno", "run", "--cached-only", "--frozen", "--allow-net", "--allow-env", "--unsafely-ignore-certificate-errors", "lib/server/healthcheck.ts"]
# The permissions of the task start, and no network for code: everything is in the cache.
CMD ["deno", "run", "--cached-only", "--frozen", "--allow-net", "--allow-read=_fresh,static,tls,/etc/letsencrypt,/run/secrets", "--allow-env", "lib/server/serve.ts"]
