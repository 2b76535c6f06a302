LONG = ("test_faults", "test_workflow")  # files of few tests, each of which takes long


def pytest_collection_modifyitems(items):
    """The long files first: one that began last would keep one process waiting for the other."""
    items.sort(key=lambda item: item.path.stem not in LONG)
