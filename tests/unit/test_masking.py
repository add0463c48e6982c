"""What operators see of a body that they did not ask to see."""

from decimal import Decimal

from gateway.masking import mask_document


def test_of_a_document_its_shape_is_left() -> None:
    document = {
        "nik": "1405020101909001",
        "nama": "Siti",
        "jk": "P",
        "alamat": "RT 1405020101909001",
        "lahir": "1990-01-01",
        "biaya": Decimal("1500.50"),
        "kk": 1405020101909001,
        "hidup": True,
        "email": None,
        "anak": [{"nama": ""}, ()],
    }
    assert mask_document(document) == {
        "nik": "140502******9001",
        "nama": "*** (4 characters)",
        "jk": "*** (1 characters)",
        "alamat": "*** (19 characters)",
        "lahir": "*** (10 characters)",
        "biaya": "*** (number)",
        "kk": "140502******9001",
        "hidup": True,
        "email": None,
        "anak": [{"nama": "*** (0 characters)"}, []],
    }


def test_names_that_are_numbers_are_masked_too() -> None:
    assert mask_document({"1405020101909001": "ada"}) == {"140502******9001": "*** (3 characters)"}
