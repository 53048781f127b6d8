"""Bits, most significant first: a reader and a writer for parameter sets in tests."""


class EndOfBits(Exception):
    """More was read than there is, or a code is longer than 32 bits."""


class BitReader:
    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def read(self, count: int = 1) -> int:
        if self._at + count > len(self._bits):
            raise EndOfBits
        self._at += count
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def golomb(self) -> int:
        """ue(v) of H.264, uvlc() of AV1."""
        zeros = 0
        while self.read() == 0:
            zeros += 1
            if zeros == 32:
                raise EndOfBits
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


class BitWriter:
    def __init__(self) -> None:
        self._bits = ""

    def write(self, value: int, count: int = 1) -> "BitWriter":
        self._bits += f"{value:0{count}b}"
        return self

    def golomb(self, *values: int) -> "BitWriter":
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code
        return self

    def filled(self) -> bytes:
        """With zeros to the next byte."""
        bits = self._bits + "0" * (-len(self._bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8)

    def done(self) -> bytes:
        """Closed by a 1 and zeros to the next byte, as both H.264 and AV1 do it."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8)
