import { type Caption, COLOURS, INK, MUTED, plainText, type PlotlySpec, themedLayout } from "./theme.ts";

/** What a position of the sequence is, for `maskFigure`. */
export type TokenKind = "image" | "prefix" | "answer" | "padding";

/**
 * The prefix-LM attention mask as a matrix: which key (across) each query (down) may see, coloured by the key's kind.
 *
 * @param mask [L, L], 1 where allowed; `tokens` text and kind per position.
 */
export function maskFigure(
  mask: ArrayLike<number>,
  tokens: readonly { text: string; kind: TokenKind }[],
  caption: Caption,
): PlotlySpec {
  const kinds: TokenKind[] = ["image", "prefix", "answer", "padding"];
  const colours = ["#F4F5F7", COLOURS[5], COLOURS[2], COLOURS[4], "#B9BFC6"];
  const length = tokens.length;
  const z = tokens.map((_, i) =>
    tokens.map((key, j) => (mask[i * length + j] ? kinds.indexOf(key.kind) + 1 : 0))
  );
  const labels = tokens.map((t, i) => `${i} ${plainText(t.text)}`);
  const many = length > 40;
  const ticks = many ? { showticklabels: false } : {
    tickmode: "array",
    tickvals: tokens.map((_, i) => i),
    ticktext: tokens.map((t) => plainText(t.text)),
    tickfont: { size: 11, color: INK },
  };
  const scale = colours.flatMap((colour, i) => [[i / 5, colour], [(i + 1) / 5, colour]]);
  const longest = many ? 0 : Math.max(...tokens.map((t) => t.text.length)) * 7;
  const side = many ? 440 : Math.max(320, 24 * length);
  const legend = (["masked", ...kinds] as const)
    .filter((kind) => kind === "masked" || tokens.some((t) => t.kind === kind))
    .map((kind) => ({
      type: "scatter",
      mode: "markers",
      name: kind === "masked" ? "not seen" : kind === "padding" ? "padding" : `sees ${kind}`,
      x: [null],
      y: [null],
      marker: {
        symbol: "square",
        size: 12,
        color: colours[kind === "masked" ? 0 : kinds.indexOf(kind) + 1],
        line: { color: MUTED, width: 0.5 },
      },
    }));
  return {
    data: [
      {
        type: "heatmap",
        z,
        zmin: -0.5,
        zmax: 4.5,
        colorscale: scale,
        showscale: false,
        xgap: many ? 0 : 1,
        ygap: many ? 0 : 1,
        ...(many ? { hovertemplate: "query %{y}, key %{x}<extra></extra>" } : {
          text: labels.map((query) => labels.map((key) => `query ${query}<br>key ${key}`)),
          hoverinfo: "text",
        }),
      },
      ...legend,
    ],
    layout: themedLayout(
      caption,
      { width: side + longest + 84, plotHeight: side },
      legend.map((l) => l.name),
      {
        xaxis: {
          title: { text: "Key (is seen)", standoff: 12 },
          side: "bottom",
          tickangle: -60,
          showgrid: false,
          zeroline: false,
          constrain: "domain",
          ...ticks,
        },
        yaxis: {
          title: { text: "Query (sees)", standoff: 12 },
          autorange: "reversed",
          scaleanchor: "x",
          showgrid: false,
          zeroline: false,
          constrain: "domain",
          ...ticks,
        },
        margin: { l: 60 + longest, b: 50 + longest },
      },
    ),
  };
}
