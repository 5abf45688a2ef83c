# Classpulse for a school's own server: docs/guides/server.md describes its use, and its size.

FROM python:3.14-slim AS built
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
COPY . /src
RUN python -m venv --without-pip /opt/classpulse \
 && pip --python /opt/classpulse/bin/python install --no-compile --constraint /src/constraints.txt '/src[postgresql]' \
 && pip --python /opt/classpulse/bin/python check
# What no program loads: tests, sources and type stubs, symbols for debuggers, of LiteRT the accelerators for
# graphics cards and other chips with their tools, and the weights from which training continues.
WORKDIR /opt/classpulse/lib/python3.14/site-packages
RUN find . -type d -name tests -prune -exec rm -r {} + \
 && find . -type f -regex '.*\.\(pyi\|pyx\|pxd\|pxi\|c\|cpp\|h\|hpp\|a\)' -delete \
 && rm -r ai_edge_litert/libLiteRt*.so ai_edge_litert/aot ai_edge_litert/tools ai_edge_litert/vendors \
 && rm model/weights/network.npz \
 && find . -type f -name '*.so' -exec strip --strip-unneeded {} +
# Checks that nothing needed is missing, and leaves the bytecode of what is loaded, which a read-only container
# could not store. The bytecode of all modules would be twice as large.
RUN /opt/classpulse/bin/python -m compileall -q classpulse db model monitor reports templates \
 && /opt/classpulse/bin/python -c 'import classpulse.web.server, psycopg, sqlalchemy.dialects.postgresql' \
 && cd /tmp && /opt/classpulse/bin/classpulse demo

FROM python:3.14-slim
RUN useradd --create-home --uid 10001 classpulse \
 && install --directory --owner classpulse --group classpulse --mode 0700 /data
COPY --from=built /opt/classpulse /opt/classpulse
ENV PATH=/opt/classpulse/bin:$PATH CLASSPULSE_CONFIG=/data/config.yaml \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
USER classpulse
WORKDIR /data
VOLUME /data
EXPOSE 8321
# Whether the dashboard answers; 'classpulse health' reports on the recordings.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["classpulse", "health", "--dashboard"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["classpulse"]
CMD ["serve"]
