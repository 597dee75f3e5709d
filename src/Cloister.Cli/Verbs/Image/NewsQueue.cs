using System.Threading.Channels;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

/// <summary>A machine's news on their way to a screen that may be slow: the machine is never kept waiting, what does not fit is in its log.</summary>
internal sealed class NewsQueue : IProgress<MachineNews>
{
    private const int Capacity = 65_536;

    private readonly Channel<MachineNews> _waiting;
    private long _dropped;

    public NewsQueue() => _waiting = Channel.CreateBounded<MachineNews>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite }, _ => Interlocked.Increment(ref _dropped));

    /// <summary>How many lines were not shown.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Report(MachineNews value) => _waiting.Writer.TryWrite(value);

    public void Complete() => _waiting.Writer.TryComplete();

    /// <summary>Shows them until <see cref="Complete"/> and the last.</summary>
    public async Task ShowAsync(Action<MachineNews> show)
    {
        await foreach (MachineNews news in _waiting.Reader.ReadAllAsync())
            show(news);
    }
}
