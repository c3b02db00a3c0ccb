# maildesk in a container: docker build -t maildesk . (compose.yaml has it with PostgreSQL)
FROM debian:12-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	ca-certificates gcc libc6-dev libcmark-dev libconfuse-dev libcurl4-gnutls-dev libetpan-dev \
	libgnutls28-dev libical-dev libjansson-dev libmicrohttpd-dev libpcre2-dev libpq-dev \
	libseccomp-dev libsodium-dev libsqlite3-dev libxml2-dev libzstd-dev make nodejs npm zlib1g-dev
WORKDIR /src
COPY Makefile schema.sql ./
COPY include include
COPY man man
COPY src src
COPY systemd systemd
COPY templates templates
COPY web web
RUN make web && make -j"$(nproc)" all && make install PREFIX=/usr DESTDIR=/out

FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	ca-certificates libcmark0.30.2 libconfuse2 libcurl3-gnutls libetpan20 libgnutls30 libical3 \
	libjansson4 libmicrohttpd12 libpcre2-8-0 libpq5 libseccomp2 libsodium23 libsqlite3-0 libxml2 \
	libzstd1 tzdata zlib1g && rm -rf /var/lib/apt/lists/* && \
	useradd --system --uid 900 --home-dir /var/lib/maildesk --no-create-home \
	--shell /usr/sbin/nologin maildesk && \
	install -d -o maildesk -g maildesk -m 0700 /var/lib/maildesk /etc/maildesk
COPY --from=build /out/usr/sbin/maildesk /usr/sbin/maildesk
COPY --from=build /out/usr/share/man /usr/share/man
USER maildesk
VOLUME /var/lib/maildesk
EXPOSE 8025
# A restarted container is not a restarted desk: what is broken in the configuration ends it (78).
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
	CMD ["/usr/sbin/maildesk", "status"]
ENTRYPOINT ["/usr/sbin/maildesk"]
CMD ["serve"]
