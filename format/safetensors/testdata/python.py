"""Makes python.safetensors with Hugging Face's own library (safetensors
0.8.0, NumPy 2.4.6; run as `python python.py`). The test holds the values."""
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "weights": np.array([[1.5, -2.0, np.inf], [0.0, -0.0, 3.4028235e38]], np.float32),
        "labels": np.array([[-1], [2147483647]], np.int32),
        "double": np.array([np.pi, 5e-324], np.float64),
        "half": np.array([1.0, 65504.0], np.float16),
        "long": np.array([-(2**63), 2**63 - 1], np.int64),
        "short": np.array([-32768, 32767], np.int16),
        "tiny": np.array([-128, 127], np.int8),
        "bytes": np.array([[0, 255, 7]], np.uint8),
        "flags": np.array([True, False, True], np.bool_),
        "scalar": np.array(0.1, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "名 \"quoted\"": np.array([42.0], np.float32),
    },
    "python.safetensors",
    metadata={"format": "np", "note": "é\n"},
)
