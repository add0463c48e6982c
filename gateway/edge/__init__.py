"""HTTP in: from a client's request to a Message, from a Reply or an error to an answer; knows no agency's protocol."""
