"""Files in every encoding, declared or found out."""

import pytest

from domain.imports import RowError, RowFault, UnknownEncoding
from infra.importing.reader import SAMPLE
from tests.infra.importing.reading import declared, lead, read


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\x00\x00"),
        ("utf-32-be", b"\x00\x00\xfe\xff"),
    ],
)
def test_a_byte_order_mark_says_how_to_read_and_is_no_part_of_the_name(encoding, mark):
    data = mark + "id,name\n1,Conceição 🙂\n".encode(encoding)

    assert read(data, pieces=3) == [lead(2, "1", "Conceição 🙂")]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Conceição"),
        ("iso-8859-2", "Łukasz Żółć"),
        ("koi8-r", "Иван"),
        ("shift_jis", "山田太郎"),
        ("utf-16-le", "Ann"),
        ("mac_roman", "Käthe"),
    ],
)
def test_any_declared_encoding_is_read_as_such(encoding, name):
    data = f"id,name\n1,{name}\n".encode(encoding)

    assert read(data, mapping=declared(encoding)) == [lead(2, "1", name)]


def test_an_undeclared_encoding_is_refused_with_a_choice_never_guessed():
    with pytest.raises(UnknownEncoding) as refused:
        read("id,name\n1,Ann\n2,Conceição\n".encode("cp1252"))

    assert refused.value.path == ("file", "encoding")
    assert refused.value.message.startswith("The file is not UTF-8 (line 3); declare its encoding.")
    assert "cp1252 ('2,Conceição')" in refused.value.message
    assert "cp1250 ('2,Conceiçăo')" in refused.value.message


def test_utf_16_without_a_mark_has_to_be_declared():
    with pytest.raises(UnknownEncoding, match="UTF-16 without a byte order mark"):
        read("id,name\n1,Ann\n".encode("utf-16-le"))


def test_a_declared_encoding_that_the_file_contradicts_is_refused():
    with pytest.raises(UnknownEncoding, match=r"cp1252 is declared, but .* mark of utf-8"):
        read(b"\xef\xbb\xbfid,name\n1,Ann\n", mapping=declared("cp1252"))


def test_bytes_that_are_no_text_cost_their_own_row_only():
    good = b"id,name\n" + (b"1," + b"n" * 150 + b"\n") * (SAMPLE // 150)
    bad = len(good.splitlines()) + 1

    outcomes = read(good + b"2,Conceic\xe3o\n3,Bob\n", pieces=50_000)[-2:]

    assert outcomes == [
        RowError(
            line=bad,
            column="name",
            code=RowFault.BAD_ENCODING,
            message="name holds bytes that are not utf-8.",
            row=("2", "Conceic\ufffdo"),
        ),
        lead(bad + 1, "3", "Bob"),
    ]


def test_a_nul_costs_its_own_row_only():
    assert read(b"id,name\n1,A\x00nn\n2,Bob\n") == [
        RowError(
            line=2,
            column="name",
            code=RowFault.NUL_CHARACTER,
            message="name holds a NUL character.",
            row=("1", "A\ufffdnn"),
        ),
        lead(3, "2", "Bob"),
    ]
