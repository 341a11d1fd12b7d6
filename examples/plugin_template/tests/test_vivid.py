from hybridtrack.plugin_host import PluginHost
from hybridtrack.testing import check_detector


def test_detector_keeps_the_contract():
    offer = PluginHost.load().detector("vivid")
    assert check_detector(offer.build(offer.read_options({}))) == []
