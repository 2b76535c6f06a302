"""What can be read in a figure."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def texts(path):
    """The texts of an SVG, each as one string."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    return {"".join(element.itertext()).strip() for element in root.iter(f"{SVG}text")}
