namespace Cloister.Images.Channel;

/// <summary>What a frame between a machine and its host says. Numbers are part of the format.</summary>
public enum FrameKind : byte
{
    /// <summary>Machine: it can be talked to. JSON, <see cref="GuestReady"/>; once.</summary>
    Ready = 1,

    /// <summary>Host, its first: JSON, <see cref="MachineSettings"/>; once.</summary>
    Settings = 2,

    /// <summary>Machine: something happened. JSON, <see cref="GuestEvent"/>.</summary>
    Event = 3,

    /// <summary>Machine: what a program that it started by itself wrote; one byte <see cref="ProgramStream"/>, then the bytes.</summary>
    Log = 4,

    /// <summary>Host: start a program; its number is the frame's stream. JSON, <see cref="ExecRequest"/>.</summary>
    Exec = 5,

    /// <summary>Host: bytes for a program's standard input; none: its end.</summary>
    Input = 6,

    /// <summary>Machine: what that program wrote; one byte <see cref="ProgramStream"/>, then the bytes.</summary>
    Output = 7,

    /// <summary>Machine: that program's end, the stream's last frame. JSON, <see cref="ExecExit"/>.</summary>
    Exit = 8,

    /// <summary>Host: a signal for that program; one byte, its number.</summary>
    Signal = 9,

    /// <summary>Host: commit, end everything, power off. JSON, <see cref="MachineStop"/>.</summary>
    Stop = 10,

    /// <summary>Machine, its last: it powers off. JSON, <see cref="MachineStopped"/>.</summary>
    Stopped = 11,

    /// <summary>Either: so many bytes more may be sent on this stream; u32.</summary>
    Window = 12,
}

/// <summary>Which of a program's outputs.</summary>
public enum ProgramStream : byte
{
    /// <summary>Its standard output.</summary>
    Output = 1,

    /// <summary>Its standard error.</summary>
    Error = 2,
}
