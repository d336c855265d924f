import base64
import re
import struct
import zlib

import numpy as np

from forecaster.serving.dashboard.gate_maps import gate_maps, reach_map
from forecaster.serving.dashboard.heat_map import heat_map
from tests.reporting.made_up_inspection import made_up_inspection


def chunks(code):
    data = base64.b64decode(re.search('base64,([^"]*)', code)[1])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, found = 8, {}
    while place < len(data):
        length = struct.unpack(">I", data[place : place + 4])[0]
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + content)
        found[kind], place = content, place + 12 + length
    return found


def pixels(code):
    """Red, green, blue and opacity of each pixel, the top row first."""
    found = chunks(code)
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    colours = np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3)
    return np.concatenate([colours, np.frombuffer(found[b"tRNS"], np.uint8)[:, None]], 1)[rows[:, 1:]].tolist()


def test_small_values_are_pale_absent_ones_empty_and_the_first_row_is_at_the_bottom():
    (top, bottom) = pixels(heat_map(np.array([[0, 1, 0.5], [-1, np.nan, 7]]), "a <b>").code)
    assert [pixel[3] for pixel in bottom] == [0, 255, 129]
    assert [pixel[3] for pixel in top] == [255, 0, 255]
    assert top[0][:3] == [217, 112, 10] and bottom[1][:3] == top[2][:3] == [40, 128, 232]


def test_every_gate_and_state_of_a_layer_has_a_map_with_its_scale():
    document = made_up_inspection()
    document["activations"][0]["states"]["cell"]["values"][0][0] = -4.0
    document["activations"][0]["gates"]["forget"]["values"][0][0] = None
    code = gate_maps(document["window"], document["activations"])
    names = ["input gate", "forget gate", "candidate", "output gate", "cell state", "hidden state"]
    assert re.findall(r'<p class="map"><b>(.*?)</b>', code) == names
    assert "\N{MINUS SIGN}4 orange, 4 blue" in code and "open 25.0 %, shut 12.5 %" in code
    assert "2024-01-01" in code and "2024-01-13" in code, "its ends"
    assert [pixel[3] for pixel in pixels(code.split("Heat map of the forget")[0].rsplit("<img", 1)[1])[-1]]


def test_a_gradient_of_a_tenth_a_step_is_paler_by_the_same_at_each():
    [layer] = made_up_inspection()["gradient_reach"]["layers"]
    layer |= {"norms": [1.0, 0.1, 0.01, None], "cell": [1.0, 1.0], "hidden": [0.01]}
    code = reach_map([layer])
    strips = [[pixel[3] for pixel in pixels(part)[0]] for part in re.findall("<img[^>]*>", code)]
    assert strips == [[255, 129, 0, 0], [0, 0, 0, 0], [255, 255, 0, 0]]
    assert "full blue is 1, the ground 0.01 and below" in code and "<span>3</span>" in code
    assert reach_map([{**layer, "norms": [None], "cell": None}]) == ""
