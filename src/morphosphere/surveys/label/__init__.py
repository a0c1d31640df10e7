"""Labels of one survey, carried to the other where both saw the same galaxy."""
