namespace Cloister.Client;

/// <summary>
/// Asks served models for predictions over the Open Inference Protocol (REST, version 2). Over an
/// <see cref="AttestedHttpHandler"/> not a byte of an input leaves before the server was verified.
/// </summary>
public sealed class PredictClient : IDisposable
{
    /// <summary>The largest answer that is read, in bytes.</summary>
    public const int MaxAnswerBytes = 64 << 20;

    private readonly AttestedHttpHandler _handler;
    private readonly ServerExchange _server;

    /// <summary>Creates a client.</summary>
    /// <param name="handler">How requests travel; disposed with this client.</param>
    /// <param name="server">The server's address, https.</param>
    /// <param name="bearerToken">The caller's token, where the manifest names callers by token.</param>
    /// <param name="options">Bounds and clock.</param>
    public PredictClient(AttestedHttpHandler handler, Uri server, string? bearerToken = null, ClientOptions? options = null) =>
        (_handler, _server) = (handler, new ServerExchange(handler, server, bearerToken, options));

    /// <summary>
    /// Nothing is sent to a model unless the verified manifest has it in this mode, a word of <see cref="Protocol.Manifest.ModelModes"/>. Null, the
    /// default: in any, or in none that is stated, but not in parts, for which an accelerator outside sees what the first layers make of an input.
    /// </summary>
    public string? Mode { get; init; }

    /// <summary>A model's inputs and outputs.</summary>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for.</exception>
    /// <exception cref="ClientException">The server refused, or its answer is no description.</exception>
    public async Task<ModelDescription> DescribeAsync(string model, CancellationToken cancellation = default) =>
        InferJson.ReadDescription(await SendAsync(HttpMethod.Get, ModelPath(model), null, $"the description of model '{model}'", cancellation));

    /// <summary>Runs a model on tensors and answers all its outputs.</summary>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for; nothing of the inputs was sent.</exception>
    /// <exception cref="ClientException">The server refused, or its answer is no inference; or <see cref="ClientError.ModeRefused"/>: nothing was sent.</exception>
    public async Task<InferAnswer> InferAsync(string model, IReadOnlyList<InferTensor> inputs, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        _handler.RequireMode(model, Mode);
        byte[] request = InferJson.WriteRequest(inputs, null, 0);
        return InferJson.ReadAnswer(await SendAsync(HttpMethod.Post, ModelPath(model) + "/infer", request, $"inference by model '{model}'", cancellation));
    }

    /// <summary>
    /// Classifies a picture; the model's declared preprocessing is done by the server. A model in parts answers as many classes as its maker chose, so
    /// that no answer's size tells which; fewer than <paramref name="count"/> then.
    /// </summary>
    /// <param name="model">The model's name.</param>
    /// <param name="picture">A picture file's content (PNG or JPEG).</param>
    /// <param name="count">How many of the highest classes to answer, at least 1.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The highest classes, best first.</returns>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for; nothing of the picture was sent.</exception>
    /// <exception cref="ClientException">The server refused, or its answer is no classification; or <see cref="ClientError.ModeRefused"/>: nothing was sent.</exception>
    public async Task<IReadOnlyList<PredictedLabel>> ClassifyAsync(string model, ReadOnlyMemory<byte> picture, int count = 5, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _handler.RequireMode(model, Mode);
        ModelDescription description = await DescribeAsync(model, cancellation);
        if (description is not { Inputs: [var input, ..], Outputs: [var output, ..] })
            throw new ClientException(ClientError.AnswerMalformed, $"The model '{model}' describes no input or no output.");
        return description.Platform == PartitionedAnswer.Platform
            ? PartitionedAnswer.Read(await InferAsync(model, [InferTensor.Picture(input.Name, picture.Span)], cancellation), count)
            : await ClassifyAsync(model, input.Name, output.Name, picture, count, cancellation);
    }

    /// <summary>Classifies a picture, with the names of the model's input and output known.</summary>
    /// <inheritdoc cref="ClassifyAsync(string, ReadOnlyMemory{byte}, int, CancellationToken)"/>
    public async Task<IReadOnlyList<PredictedLabel>> ClassifyAsync(string model, string input, string output, ReadOnlyMemory<byte> picture, int count, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _handler.RequireMode(model, Mode);
        byte[] request = InferJson.WriteRequest([InferTensor.Picture(input, picture.Span)], output, count);
        InferAnswer answer = InferJson.ReadAnswer(await SendAsync(HttpMethod.Post, ModelPath(model) + "/infer", request, $"classification by model '{model}'", cancellation));
        InferTensor classes = answer.Outputs.FirstOrDefault(o => o.Name == output && o.Datatype == "BYTES")
            ?? throw new ClientException(ClientError.AnswerMalformed, $"The answer has no classes for output '{output}'.");
        return [.. classes.Texts.Select(InferJson.ReadLabel)];
    }

    private Task<byte[]> SendAsync(HttpMethod method, string path, byte[]? json, string what, CancellationToken cancellation) =>
        _server.SendAsync(method, path, json, "application/json", MaxAnswerBytes, what, cancellation);

    private static string ModelPath(string model)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        return "/v2/models/" + Uri.EscapeDataString(model);
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _server.Dispose();
}
