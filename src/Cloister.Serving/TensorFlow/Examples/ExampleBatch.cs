using System.Text;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>
/// Examples on their way into a model: the feature of an input's name gives that input's part of each item. Features that no input
/// is named for are passed over; a context gives what an example lacks. What an example has wrong is kept until all are read, for
/// a body that is no request is refused as such first.
/// </summary>
internal sealed class ExampleBatch
{
    private readonly ServedModel _model;
    private readonly FeatureColumn[] _columns;
    private readonly Feature[] _current, _context;
    private ServingException? _fault;

    public ExampleBatch(ServedModel model)
    {
        _model = model;
        int inputs = model.Engine.Inputs.Count;
        _columns = [.. Enumerable.Range(0, inputs).Select(index => new FeatureColumn(model.Engine.Inputs[index], model.Picture?.Index == index))];
        _current = [.. Enumerable.Range(0, inputs).Select(_ => new Feature())];
        _context = [.. Enumerable.Range(0, inputs).Select(_ => new Feature())];
    }

    /// <summary>How many examples were read.</summary>
    public int Count { get; private set; }

    /// <summary>Where the feature of a name goes; null if no input is called so.</summary>
    /// <param name="name">The name, UTF-8.</param>
    /// <param name="context">Whether it is one of the context.</param>
    public Feature? Of(ReadOnlySpan<byte> name, bool context) =>
        _model.TryIndexOfInput(Encoding.UTF8.GetString(name), out int index) ? (context ? _context : _current)[index] : null;

    /// <summary>Ends an example.</summary>
    public void EndExample()
    {
        for (int i = 0; i < _columns.Length; i++)
        {
            Feature feature = _current[i].Kind == FeatureKind.None ? _context[i] : _current[i];
            _fault ??= _columns[i].Add(feature, Count);
            _current[i].Clear();
        }
        Count++;
    }

    /// <summary>Makes the tensors, in the model's order; the caller disposes them.</summary>
    /// <exception cref="ServingException">An example lacks an input, or has a feature that does not fit one.</exception>
    public Tensor[] ToTensors(TensorPool pool)
    {
        if (_fault is not null) throw _fault;
        var tensors = new Tensor?[_columns.Length];
        try
        {
            for (int i = 0; i < tensors.Length; i++) tensors[i] = _columns[i].ToTensor(Count, _model.Picture, pool);
            return tensors!;
        }
        catch
        {
            foreach (Tensor? tensor in tensors) tensor?.Dispose();
            throw;
        }
    }

    /// <summary>For a text that says an example cannot be used.</summary>
    internal static ServingException Refused(ServingError error, string name, int example, string reason) =>
        new(error, $"Key: {name}, Index: {example}.  {reason}");
}
