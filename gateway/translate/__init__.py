"""Message translation: mapping files -> rules -> plans -> compiled functions, and the canonical schemas beside them."""

from gateway.translate.compile import Compiled, CompiledRow, compile_operation, compile_row
from gateway.translate.load import load_mapping
from gateway.translate.rules import MappingFile

__all__ = ["Compiled", "CompiledRow", "MappingFile", "compile_operation", "compile_row", "load_mapping"]
