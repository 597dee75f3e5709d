using System.Text;

namespace Cloister.Serving.Json;

/// <summary>Which of an object's known members were read: a member that stands there twice means different things to different readers.</summary>
internal ref struct MemberSet
{
    private uint _seen;

    /// <summary>Whether the member at hand is the known one, which has a number of its own in its object.</summary>
    /// <exception cref="ServingException">It is, and was read before.</exception>
    public bool Adds(ref JsonCursor cursor, ReadOnlySpan<byte> name, int number, ReadOnlySpan<byte> known)
    {
        if (!name.SequenceEqual(known)) return false;
        if ((_seen & (1u << number)) != 0) throw cursor.Invalid($"member '{Encoding.UTF8.GetString(known)}' stands there twice");
        _seen |= 1u << number;
        return true;
    }
}
