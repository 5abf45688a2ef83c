"""Attributes stage: reads expression and head pose of the visible faces."""

from __future__ import annotations

from monitor.faces.expression import ExpressionEstimator, FaceAttributes, HeadPoseEstimator
from monitor.session.readings import PendingReadings
from monitor.session.stages.context import FrameContext


class AttributesStage:
    """Reads the visible faces and adds their readings to the pending ones."""

    def __init__(
        self,
        expression_estimator: ExpressionEstimator,
        head_estimator: HeadPoseEstimator,
        readings: PendingReadings,
    ) -> None:
        self._expression_estimator = expression_estimator
        self._head_estimator = head_estimator
        self._readings = readings

    def process(self, context: FrameContext) -> None:
        """Sets ``heads``, ``expressions`` and ``continued``."""
        context.continued = self._readings.continue_tracks(context.tracks)
        faces = [face for _, face in context.visible]
        context.heads = self._head_estimator.estimate(context.image_bgr, faces)
        expressions = self._expression_estimator.estimate(context.image_bgr, faces, context.heads)
        track_ids = [track.track_id for track, _ in context.visible]
        context.expressions = dict(zip(track_ids, expressions, strict=True))
        for track_id, expression, head in zip(track_ids, expressions, context.heads, strict=True):
            self._readings.add(track_id, FaceAttributes(context.frame.media_s, expression, head))
