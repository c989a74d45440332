"""Records without what tells a person, so that nothing after it ever sees that.

The law: :meth:`Mask.block` never raises, whatever the bytes. What was hashed is neither a text nor
a key of the masked record (from 3 characters on), nor within one (from 6 on; in capitals or not,
percent-encoded or not), nor a number (from 6 digits on). Excepted are the keys that hits are known
to have, and a hit's own id and times. Of a record that is no hit, nothing goes on but its length.

What is in none of the fields is not known to tell a person: an address in a page's name, or a
visitor's number in a variable of a hit that has it nowhere else. Pure.
"""

from livestream_nb.masking.line import withheld
from livestream_nb.masking.mask import Mask, Masked

__all__ = ["Mask", "Masked", "withheld"]
