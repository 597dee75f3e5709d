using System.Buffers.Binary;

namespace Cloister.Images.Boot.Programs;

/// <summary>The few x86-64 instructions that emitted programs are made of (Intel SDM volume 2). The stack pointer at entry stays in rbx, which system calls keep.</summary>
internal sealed class MachineCode
{
    // Registers of a system call's arguments: rdi, rsi, rdx, r10, r8, r9.
    private static readonly int[] ArgumentRegisters = [7, 6, 2, 10, 8, 9];

    private const int Rax = 0, R14 = 14;

    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    /// <summary>mov rbx, rsp.</summary>
    public void KeepStack() => _bytes.AddRange([0x48, 0x89, 0xE3]);

    /// <summary>Loads number and operands, then syscall.</summary>
    public void Call(SystemCall call, ReadOnlySpan<Operand> operands)
    {
        if (operands.Length > ArgumentRegisters.Length) throw new ArgumentException("A system call takes at most six operands.", nameof(operands));
        for (int i = 0; i < operands.Length; i++)
            Load(ArgumentRegisters[i], operands[i]);
        Move(Rax, (int)call);
        _bytes.AddRange([0x0F, 0x05]);
    }

    /// <summary>Stores rax at an address.</summary>
    public void StoreResult(long address)
    {
        _bytes.AddRange([0x48, 0x89, 0x04, 0x25]);
        Add32((int)address);
    }

    /// <summary>mov register, number: the shortest of three forms.</summary>
    public void Move(int register, long value)
    {
        if (value is >= 0 and <= uint.MaxValue)
        {
            if (register >= 8) _bytes.Add(0x41);
            _bytes.Add((byte)(0xB8 | (register & 7)));
            Add32((int)(uint)value);
        }
        else if (value is >= int.MinValue and < 0)
        {
            _bytes.AddRange([(byte)(0x48 | (register >> 3)), 0xC7, (byte)(0xC0 | (register & 7))]);
            Add32((int)value);
        }
        else
        {
            _bytes.AddRange([(byte)(0x48 | (register >> 3)), (byte)(0xB8 | (register & 7))]);
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            _bytes.AddRange(bytes);
        }
    }

    /// <summary>test rax, rax; jns: a jump that is taken if the call succeeded.</summary>
    public int JumpIfSucceeded()
    {
        _bytes.AddRange([0x48, 0x85, 0xC0, 0x0F, 0x89]);
        return Hole();
    }

    /// <summary>cmp rax, -error; je.</summary>
    public int JumpIfError(SystemError error)
    {
        _bytes.AddRange([0x48, 0x3D]);
        Add32(-(int)error);
        _bytes.AddRange([0x0F, 0x84]);
        return Hole();
    }

    /// <summary>cmp qword [rbx], count; jge: a jump that is taken if there are that many arguments.</summary>
    public int JumpIfArguments(byte count)
    {
        _bytes.AddRange([0x48, 0x83, 0x3B, count, 0x0F, 0x8D]);
        return Hole();
    }

    /// <summary>dec r14d; jz.</summary>
    public int JumpIfCountedDown()
    {
        _bytes.AddRange([0x41, 0xFF, 0xCE, 0x0F, 0x84]);
        return Hole();
    }

    /// <summary>Sets what <see cref="JumpIfCountedDown"/> counts.</summary>
    public void SetCounter(int count) => Move(R14, count);

    /// <summary>jmp.</summary>
    public int Jump()
    {
        _bytes.Add(0xE9);
        return Hole();
    }

    /// <summary>Lets a jump lead to where the next instruction comes, or to a place already passed.</summary>
    public void Land(int hole, int? place = null)
    {
        Span<byte> distance = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(distance, (place ?? Length) - (hole + 4));
        for (int i = 0; i < 4; i++)
            _bytes[hole + i] = distance[i];
    }

    /// <summary>Writes the error in rax as three decimal digits at r12 + r13 - 4, before a message's last byte.</summary>
    public void WriteErrorDigits()
    {
        _bytes.AddRange([0xF7, 0xD8]);                               // neg eax
        _bytes.AddRange([0xB9, 10, 0, 0, 0]);                        // mov ecx, 10
        for (sbyte digit = -2; digit >= -4; digit--)
        {
            _bytes.AddRange([0x31, 0xD2]);                           // xor edx, edx
            _bytes.AddRange([0xF7, 0xF1]);                           // div ecx
            _bytes.AddRange([0x80, 0xC2, (byte)'0']);                // add dl, '0'
            _bytes.AddRange([0x43, 0x88, 0x54, 0x2C, (byte)digit]);  // mov [r12 + r13 + digit], dl
        }
    }

    /// <summary>Calls write(file, r12, r13), the file being rax's value or a number.</summary>
    public void WriteMessage(int? file)
    {
        if (file is { } number) Move(7, number);
        else _bytes.AddRange([0x48, 0x89, 0xC7]);                    // mov rdi, rax
        _bytes.AddRange([0x4C, 0x89, 0xE6, 0x4C, 0x89, 0xEA]);       // mov rsi, r12; mov rdx, r13
        Move(Rax, (int)SystemCall.Write);
        _bytes.AddRange([0x0F, 0x05]);
    }

    /// <summary>exit_group(r15).</summary>
    public void ExitWithR15()
    {
        _bytes.AddRange([0x4C, 0x89, 0xFF]);
        Move(Rax, (int)SystemCall.ExitGroup);
        _bytes.AddRange([0x0F, 0x05]);
    }

    private void Load(int register, Operand operand)
    {
        switch (operand.Kind)
        {
            case OperandKind.Number:
                Move(register, operand.Value);
                break;
            case OperandKind.Stored:                                 // mov register, [address]
                _bytes.AddRange([(byte)(0x48 | (register >> 3 << 2)), 0x8B, (byte)(0x04 | (register & 7) << 3), 0x25]);
                Add32((int)operand.Value);
                break;
            case OperandKind.Argument:                               // mov register, [rbx + 8 + 8 index]
                _bytes.AddRange([(byte)(0x48 | (register >> 3 << 2)), 0x8B, (byte)(0x83 | (register & 7) << 3)]);
                Add32(8 + 8 * (int)operand.Value);
                break;
            case OperandKind.ArgumentList:                           // lea register, [rbx + 8 + 8 index]
                _bytes.AddRange([(byte)(0x48 | (register >> 3 << 2)), 0x8D, (byte)(0x83 | (register & 7) << 3)]);
                Add32(8 + 8 * (int)operand.Value);
                break;
            default:                                                 // mov rax, [rbx]; lea register, [rbx + 8 rax + 16]
                _bytes.AddRange([0x48, 0x8B, 0x03, (byte)(0x48 | (register >> 3 << 2)), 0x8D, (byte)(0x44 | (register & 7) << 3), 0xC3, 16]);
                break;
        }
    }

    private int Hole()
    {
        _bytes.AddRange([0, 0, 0, 0]);
        return Length - 4;
    }

    private void Add32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _bytes.AddRange(bytes);
    }
}
