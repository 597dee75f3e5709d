namespace Cloister.Partitioning.Runner;

/// <summary>What an accelerator did wrong. Each ends its connection. The numbers are stable.</summary>
public enum AcceleratorFault
{
    /// <summary>Nobody listens, or the connection could not be made in time.</summary>
    Unreachable = 1,
    /// <summary>It speaks another protocol, or another version of it.</summary>
    WrongProtocol = 2,
    /// <summary>It closed the connection.</summary>
    Disconnected = 3,
    /// <summary>It closed the connection within a frame.</summary>
    TornFrame = 4,
    /// <summary>It sent nothing, or too little, for too long.</summary>
    Stalled = 5,
    /// <summary>It sent a frame of an unknown kind, of a wrong length, malformed, or out of turn.</summary>
    BadFrame = 6,
    /// <summary>What it has under the model's digest has other inputs or outputs.</summary>
    OtherModel = 7,
    /// <summary>It does not take the model.</summary>
    ModelRefused = 8,
    /// <summary>It refused a run.</summary>
    RunRefused = 9,
    /// <summary>It answered what nobody asked.</summary>
    UnknownAnswer = 10,
    /// <summary>It answered one question twice.</summary>
    AnsweredTwice = 11,
    /// <summary>It answered for another input than the one sent: a stale or swapped answer.</summary>
    OtherInput = 12,
    /// <summary>The answer has another number of tensors, other types or other shapes.</summary>
    WrongTensors = 13,
    /// <summary>The answer has NaN, an infinity, or a boolean that is neither false nor true.</summary>
    BadValues = 14,
    /// <summary>The answer is not what the BackNet gives: it was computed again inside. The accelerator is not asked again.</summary>
    Lied = 15,
    /// <summary>It does not speak TLS 1.3 where its address says so.</summary>
    NoTls = 16,
    /// <summary>It has another TLS key than the one its address names.</summary>
    OtherKey = 17,
}
