"""Extends PCR 11 of this machine's TPM, and prints it before and after: what a program with the TPM may do, and cannot undo."""
import struct

ALGORITHM, PCR = 0x000B, 11


def command(tpm, tag, code, body):
    tpm.write(struct.pack(">HII", tag, 10 + len(body), code) + body)
    answer = tpm.read(4096)
    return_code = struct.unpack_from(">I", answer, 6)[0]
    if return_code != 0:
        raise SystemExit("the TPM answered 0x%x" % return_code)
    return answer


def read(tpm):
    selection = struct.pack(">IHB", 1, ALGORITHM, 3) + bytes((1 << (PCR - 8 * i)) & 0xFF if 0 <= PCR - 8 * i < 8 else 0 for i in range(3))
    return command(tpm, 0x8001, 0x17E, selection)[-32:].hex()


with open("/dev/tpmrm0", "r+b", buffering=0) as tpm:
    print(read(tpm))
    session = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
    command(tpm, 0x8002, 0x182, struct.pack(">II", PCR, len(session)) + session + struct.pack(">IH", 1, ALGORITHM) + bytes(31) + b"\1")
    print(read(tpm))
    # A TPM that could be reset from inside would show zeros, or the old value, again.
    try:
        command(tpm, 0x8002, 0x13D, struct.pack(">II", PCR, len(session)) + session)
        print("RESET")
    except SystemExit as refused:
        print(refused)
