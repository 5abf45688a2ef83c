"""FER2013 faces with their own labels and with the votes of FER+, from wherever they lie."""

from model.dataset.faces import FACE_PX, SPLIT_NAMES, Faces, Splits, Usage, select, split
from model.dataset.load import load_faces

__all__ = ["FACE_PX", "SPLIT_NAMES", "Faces", "Splits", "Usage", "load_faces", "select", "split"]
