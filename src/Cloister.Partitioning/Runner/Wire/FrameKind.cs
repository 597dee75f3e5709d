namespace Cloister.Partitioning.Runner.Wire;

/// <summary>What a frame is (docs/formats/accelerator-wire.md).</summary>
internal enum FrameKind : byte
{
    Hello = 1,
    Welcome = 2,
    Offer = 3,
    Have = 4,
    Send = 5,
    Chunk = 6,
    Ready = 7,
    Memory = 8,
    Mapped = 9,
    Run = 10,
    Answer = 11,
    Refusal = 12,
    Ping = 13,
    Pong = 14,
}
