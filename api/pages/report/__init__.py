"""The report of a model as a page: a section for each thing that is looked at before a model is believed."""
