"""The names under which artifacts are kept."""


def artifact_name(dataset_name: str, stage: str, version: int) -> str:
    """The one name of a version's artifact in a stage; it is fixed, so that a second attempt finds the first one's."""
    return f"{dataset_name}_model_{stage}_v{version}.pkl"
