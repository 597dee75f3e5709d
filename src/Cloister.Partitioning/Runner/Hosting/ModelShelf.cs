using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>The models an accelerator holds, by digest. One is shared by all connections that use it, and stays a while after them.</summary>
internal sealed class ModelShelf(AcceleratorOptions options, ILogger logger) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Shelved> _models = new(StringComparer.Ordinal);
    private long _bytes, _turn;
    private int _coming;

    /// <summary>Takes a model that is there; null if it is not.</summary>
    public Lease? TryTake(string digest)
    {
        lock (_lock)
            return _models.TryGetValue(digest, out Shelved? model) ? Take(model) : null;
    }

    /// <summary>Keeps room for a model that will be received and loaded.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public void Reserve(long bytes)
    {
        if (bytes > options.MaximumModelBytes)
            throw new RefusedException(RefusalCode.ModelTooLarge, $"The model has {bytes} bytes; {options.MaximumModelBytes} are taken at most.");
        lock (_lock)
        {
            while (_models.Count + _coming >= options.MaximumModels || _bytes + bytes > options.MaximumModelBytes)
            {
                Shelved idle = _models.Values.Where(model => model.Users == 0).MinBy(model => model.LastTurn)
                    ?? throw new RefusedException(RefusalCode.NoRoom, "All models that are held are in use, and there is no room for another.");
                Remove(idle);
                logger.ModelEvicted(idle.Digest);
            }
            _bytes += bytes;
            _coming++;
        }
    }

    /// <summary>Gives the room of <see cref="Reserve"/> back: the model did not come.</summary>
    public void Release(long bytes)
    {
        lock (_lock)
        {
            _bytes -= bytes;
            _coming--;
        }
    }

    /// <summary>Puts a loaded model into the room of <see cref="Reserve"/>; where another connection was quicker, its session serves both.</summary>
    public Lease Keep(string digest, OrtSession session, long bytes)
    {
        lock (_lock)
        {
            _coming--;
            if (_models.TryGetValue(digest, out Shelved? same))
            {
                _bytes -= bytes;
                session.Dispose();
                return Take(same);
            }
            var model = new Shelved(digest, session, bytes);
            _models.Add(digest, model);
            return Take(model);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (Shelved model in _models.Values.ToArray()) Remove(model);
        }
    }

    private void Remove(Shelved model)
    {
        _models.Remove(model.Digest);
        _bytes -= model.Bytes;
        model.Session.Dispose(); // runs that go on finish first
    }

    private Lease Take(Shelved model)
    {
        model.Users++;
        model.LastTurn = ++_turn;
        return new Lease(this, model);
    }

    private void Return(Shelved model)
    {
        lock (_lock)
            model.Users--;
    }

    /// <summary>The use of a model by one connection.</summary>
    internal sealed class Lease(ModelShelf shelf, Shelved model) : IDisposable
    {
        private int _returned;

        public OrtSession Session => model.Session;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
                shelf.Return(model);
        }
    }

    internal sealed class Shelved(string digest, OrtSession session, long bytes)
    {
        public string Digest => digest;

        public OrtSession Session => session;

        public long Bytes => bytes;

        public int Users { get; set; }

        public long LastTurn { get; set; }
    }
}
