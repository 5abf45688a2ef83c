# Classpulse for a school's own server: docs/guides/server.md tells how it is used, and how large it is.

FROM python:3.12-slim AS built
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/classpulse
ENV PATH=/opt/classpulse/bin:$PATH
COPY . /src
# The last line of each: a server has no screen, so the OpenCV without windows takes the place of the other
# two; and what mediapipe asks for and never loads here is left out (jax, audio, a tokenizer).
RUN pip install --constraint /src/constraints.txt '/src[postgresql]' \
 && pip uninstall --yes opencv-python opencv-contrib-python \
 && pip install --no-deps opencv-contrib-python-headless==4.11.0.86 \
 && pip uninstall --yes jax jaxlib ml-dtypes opt-einsum sentencepiece sounddevice \
 && find /opt/classpulse -type d -name tests -path '*site-packages/*' -prune -exec rm -rf {} + \
 && python -c 'import classpulse.lecture, classpulse.web.serving, mediapipe, plutoprint' \
 && pip uninstall --yes pip

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 classpulse \
 && install --directory --owner classpulse --group classpulse --mode 0700 /data
COPY --from=built /opt/classpulse /opt/classpulse
ENV PATH=/opt/classpulse/bin:$PATH CLASSPULSE_CONFIG=/data/config.yaml \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
USER classpulse
WORKDIR /data
VOLUME /data
EXPOSE 8321
# Whether the dashboard answers; how the recordings are, 'classpulse health' tells.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["classpulse", "health", "--dashboard"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["classpulse"]
CMD ["serve"]
