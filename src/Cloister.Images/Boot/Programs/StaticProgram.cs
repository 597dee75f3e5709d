using System.Buffers.Binary;
using System.Text;

namespace Cloister.Images.Boot.Programs;

/// <summary>
/// Emits a static x86-64 ELF program from a list of system calls: no compiler, no library, no branch but "did it work". A step
/// that fails writes its name and the error's number to where the program reports, and ends the program. The same steps give the
/// same bytes. Code can be read and executed, data read and written, nothing both; the stack is not executable.
/// </summary>
internal sealed class StaticProgram
{
    private const long CodeAddress = 0x400000, DataAddress = 0x600000;
    private const int Page = 4096, ElfHeader = 64, ProgramHeader = 56, Headers = 3, MaximumCode = (int)(DataAddress - CodeAddress) - Page, TurnsASecond = 50;

    private const int R12 = 12, R13 = 13, R15 = 15, WriteOnly = 1, NoTerminal = 0x100, DrainTerminal = 0x5409;

    private readonly MachineCode _code = new();
    private readonly List<byte> _data = [];
    private readonly Dictionary<string, long> _texts = new(StringComparer.Ordinal);
    private readonly List<int> _failures = [];
    private readonly string _name;
    private readonly string[] _reports;
    private readonly long _pause;

    /// <summary>Begins a program.</summary>
    /// <param name="name">Stands before every message.</param>
    /// <param name="reports">Files that a failure is written to; none: standard error.</param>
    public StaticProgram(string name, params string[] reports)
    {
        (_name, _reports) = (name, reports);
        _code.KeepStack();
        var pause = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(pause.AsSpan(8), 1_000_000_000 / TurnsASecond);
        _pause = Bytes(pause);
    }

    /// <summary>The exit code of a program whose step fails.</summary>
    public int FailureCode { get; set; } = 1;

    /// <summary>The address of a text with its NUL; the same text is stored once.</summary>
    public long Text(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("A text ends at its first NUL.", nameof(text));
        if (_texts.TryGetValue(text, out long known)) return known;
        return _texts[text] = Bytes(Encoding.UTF8.GetBytes(text + '\0'));
    }

    /// <summary>The address of bytes that the program may change, aligned to 16.</summary>
    public long Bytes(ReadOnlySpan<byte> bytes)
    {
        while (_data.Count % 16 != 0) _data.Add(0);
        long address = DataAddress + _data.Count;
        _data.AddRange(bytes);
        return address;
    }

    /// <summary>The address of a list of addresses that ends with null.</summary>
    public long List(params ReadOnlySpan<long> addresses)
    {
        var bytes = new byte[(addresses.Length + 1) * 8];
        for (int i = 0; i < addresses.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * 8), addresses[i]);
        return Bytes(bytes);
    }

    /// <summary>Makes a call and does not look at its result.</summary>
    public void Try(SystemCall call, params ReadOnlySpan<Operand> operands) => _code.Call(call, operands);

    /// <summary>Makes a call that must succeed.</summary>
    public void Do(string step, SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        _code.Call(call, operands);
        FailUnless(step, _code.JumpIfSucceeded());
    }

    /// <summary>Makes a call that must succeed or fail with one known error.</summary>
    public void Do(string step, SystemError accepted, SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        _code.Call(call, operands);
        int known = _code.JumpIfError(accepted);
        FailUnless(step, _code.JumpIfSucceeded());
        _code.Land(known);
    }

    /// <summary>Makes a call that must succeed, and keeps its result.</summary>
    public Operand Take(string step, SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        Do(step, call, operands);
        long place = Bytes(new byte[8]);
        _code.StoreResult(place);
        return Operand.At(place);
    }

    /// <summary>Repeats a call until it succeeds, and keeps its result: for devices that come late.</summary>
    public Operand Await(string step, int seconds, SystemCall call, params ReadOnlySpan<Operand> operands)
    {
        _code.SetCounter(seconds * TurnsASecond);
        int again = _code.Length;
        _code.Call(call, operands);
        int succeeded = _code.JumpIfSucceeded(), given = _code.JumpIfCountedDown();
        _code.Call(SystemCall.Nanosleep, [_pause, 0]);
        _code.Land(_code.Jump(), again);
        _code.Land(given);
        Fail(step);
        _code.Land(succeeded);
        long place = Bytes(new byte[8]);
        _code.StoreResult(place);
        return Operand.At(place);
    }

    /// <summary>Demands arguments.</summary>
    public void DemandArguments(byte count)
    {
        int enough = _code.JumpIfArguments(count);
        _code.Move(0, -(int)SystemError.Invalid);
        Fail("arguments");
        _code.Land(enough);
    }

    /// <summary>Ends the program.</summary>
    public void Exit(int code) => _code.Call(SystemCall.ExitGroup, [code]);

    /// <summary>The whole file.</summary>
    public byte[] Build()
    {
        foreach (int failure in _failures) _code.Land(failure);
        _failures.Clear();
        _code.WriteErrorDigits();
        if (_reports.Length == 0) _code.WriteMessage(2);
        foreach (string report in _reports)
        {
            _code.Call(SystemCall.Open, [Text(report), WriteOnly | NoTerminal, 0]);
            long place = Bytes(new byte[8]);
            _code.StoreResult(place);
            _code.WriteMessage(null);
            _code.Call(SystemCall.Ioctl, [Operand.At(place), DrainTerminal, 1]);
        }
        _code.ExitWithR15();
        byte[] code = _code.ToArray();
        if (code.Length > MaximumCode) throw new InvalidOperationException("The program is too long.");
        return Link(code);
    }

    private void FailUnless(string step, int succeeded)
    {
        Fail(step);
        _code.Land(succeeded);
    }

    private void Fail(string step)
    {
        byte[] message = Encoding.UTF8.GetBytes($"{_name}: {step}: error 000\n");
        _code.Move(R12, Bytes(message));
        _code.Move(R13, message.Length);
        _code.Move(R15, FailureCode);
        _failures.Add(_code.Jump());
    }

    // ELF-64 (System V gABI, chapters 4 and 5): headers and code in one segment, data in the next page.
    private byte[] Link(byte[] code)
    {
        int codeEnd = ElfHeader + Headers * ProgramHeader + code.Length, dataAt = (codeEnd + Page - 1) / Page * Page;
        var file = new byte[dataAt + _data.Count];
        ((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(file);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(16), 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(20), 1);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(24), CodeAddress + ElfHeader + Headers * ProgramHeader);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), ElfHeader);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(52), ElfHeader);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(54), ProgramHeader);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(56), Headers);
        Segment(file.AsSpan(ElfHeader), type: 1, flags: 5, 0, CodeAddress, codeEnd);
        Segment(file.AsSpan(ElfHeader + ProgramHeader), type: 1, flags: 6, dataAt, DataAddress, _data.Count);
        Segment(file.AsSpan(ElfHeader + 2 * ProgramHeader), type: 0x6474E551, flags: 6, 0, 0, 0);
        code.CopyTo(file, ElfHeader + Headers * ProgramHeader);
        _data.CopyTo(file, dataAt);
        return file;
    }

    private static void Segment(Span<byte> header, int type, int flags, long offset, long address, long size)
    {
        BinaryPrimitives.WriteInt32LittleEndian(header, type);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], flags);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], address);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], address);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], size);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], size);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], type == 1 ? Page : 16);
    }
}
