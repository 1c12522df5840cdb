/** Prediction beside truth, for people. */
import { cpus, loadavg } from 'node:os';
import type { Outcome } from './case.ts';
import type { Compared } from './compare.ts';

/** Of the real makespan; negative: the plan said less. */
export const deviation = ({ predicted, real }: Compared): number => (predicted.makespanMs - real.makespanMs) / real.makespanMs;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

const seconds = ({ makespanMs }: Outcome) => `${(makespanMs / 1000).toFixed(1)} s`;
const percent = (share: number) => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const blocked = ({ blockedNodes, blockedPods }: Outcome) =>
  blockedNodes.length === 0 ? 'none' : `${counted(blockedNodes.length, 'node')}, ${counted(blockedPods.length, 'pod')}`;

function same({ predicted, real }: Compared): string {
  const texts = [predicted, real].map(({ blockedNodes, blockedPods }) => JSON.stringify([blockedNodes, blockedPods]));
  return texts[0] === texts[1] ? 'the same' : `predicted ${blocked(predicted)}`;
}

const cells = (row: readonly string[]) => `| ${row.join(' | ')} |`;

export function truthTable(all: readonly Compared[]): string {
  const deviations = all.map((each) => Math.abs(deviation(each)));
  const rows = all.map((each) => {
    const { bed, truthCase, pods, predicted, real } = each;
    const nodes = String(truthCase.old.length + truthCase.fresh.length);
    const found =
      blocked(real) === 'none' && same(each) === 'the same' ? 'none, as predicted' : `${blocked(real)}: ${same(each)}`;
    return [
      truthCase.name,
      bed,
      truthCase.boundBy,
      nodes,
      String(pods),
      seconds(predicted),
      seconds(real),
      percent(deviation(each)),
      found,
    ];
  });
  return [
    cells(['cluster', 'bed', 'held up by', 'nodes', 'pods', 'predicted', 'real', 'difference', 'blocked']),
    cells(['---', '---', '---', '---:', '---:', '---:', '---:', '---:', '---']),
    ...rows.map(cells),
    '',
    `Difference without its sign: median ${(median(deviations) * 100).toFixed(1)} %, worst ${(Math.max(...deviations) * 100).toFixed(1)} %.`,
  ].join('\n');
}

export function truthPage(all: readonly Compared[]): string {
  return `# The plan against the truth

\`npm run truth\` writes this page: it sets up each of these clusters, plans its maintenance from what can be read of it, then really does it with
\`drover controller\`, and compares. Both beds have a real etcd, API server, scheduler and controller manager; on "control plane" kwok plays the
kubelets, on "real nodes" there are kubelets and containerd, and each pod is a process. What pods take to get Ready the plan learns from those that
run; how long they take to stop it is told, as by \`--stop-time\`: what kwok is told, and on real nodes what a few pods took that were deleted
before. The time runs from the first node that begins until the last one that is drained. Blocked are the pods that are still there when
everything has come to its end, by their names.

${truthTable(all)}

Clusters were left out in which chance decides how long it takes: where pods without room use up the budgets that the next node needs, three
seeds of the same plan were 64, 74 and 80 s (really 71 and 72 s). A plan is one such course, not the mean of them; another \`--seed\` shows another.

Measured on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), which the bed and Drover share with whatever else runs: the load at the end, as a mean
over 15 minutes, was ${(loadavg()[2] ?? NaN).toFixed(1)}. What is above the number of cores makes the real run slower than a cluster of its own would be.
`;
}
