/** charts/drover/README.md: every value with its default and the comment above it. */
import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml';
import type * as z from 'zod';
import { inputSchema } from '../../src/api/structural-schema.ts';
import { agentSettings, controllerSettings } from './values-schema.ts';

export interface Value {
  /** "controller.replicas" */
  readonly path: string;
  readonly fallback: unknown;
  /** "" where nobody wrote one. */
  readonly comment: string;
}

/** Every value of values.yaml: a map is one value when it has a comment of its own, else a section of values. */
export function valuesOf(text: string): Value[] {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const lines = text.split('\n');
  const commentAbove = ({ key }: Pair): string => {
    const start = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const found: string[] = [];
    for (let line = counter.linePos(start).line - 2; /^\s*#/.test(lines[line] ?? ''); line--)
      found.unshift((lines[line] ?? '').replace(/^\s*# ?/, ''));
    return found.join(' ');
  };
  const walk = (map: YAMLMap, at: string): Value[] =>
    map.items.flatMap((pair) => {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const path = at === '' ? key : `${at}.${key}`;
      const comment = commentAbove(pair);
      if (isMap(pair.value) && pair.value.items.length > 0 && comment === '') return walk(pair.value, path);
      return [{ path, comment, fallback: document.getIn(path.split('.'), false) }];
    });
  if (!isMap(document.contents)) throw new Error('values.yaml is not a map');
  const plain = document.toJS() as Record<string, unknown>;
  const valueAt = (path: string) => path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], plain);
  return walk(document.contents, '').map((value) => ({ ...value, fallback: valueAt(value.path) }));
}

const cell = (text: string) => text.replaceAll('|', '\\|');

function table(head: string, rows: readonly (readonly [key: string, fallback: unknown, meaning: string])[]): string {
  const lines = rows.map(
    ([key, fallback, meaning]) =>
      `| \`${key}\` | ${fallback === undefined ? '' : `\`${cell(JSON.stringify(fallback))}\``} | ${cell(meaning)} |`,
  );
  return [`| ${head} | Default | Meaning |`, '| --- | --- | --- |', ...lines].join('\n');
}

function settings(schema: z.ZodType): string {
  const { properties = {} } = inputSchema(schema);
  return table(
    'Key',
    Object.entries(properties).map(([key, { default: fallback, description = '' }]) => [key, fallback, description]),
  );
}

/** @param values the text of values.yaml */
export function chartReadme(values: string): string {
  return `# Drover's Helm chart

<!-- Written by \`npm run generate\` from values.yaml and the schemas of the settings. -->

The controller (two replicas, one leads), the agents (Linux; Windows on request), the CRDs, their rights, and on request monitoring, network
policies and policies of your own. How to install, upgrade and remove it: [docs/install.md](../../docs/install.md); who may do what, and why:
[docs/security.md](../../docs/security.md).

\`\`\`sh
helm install drover charts/drover --namespace drover --create-namespace --set image.repository=YOUR-IMAGE
\`\`\`

Every value is checked when Helm reads it; an unknown one is refused, with its path.

## Values

${table(
  'Value',
  valuesOf(values).map(({ path, fallback, comment }) => [path, fallback, comment]),
)}

## Keys of \`controller.config\`

${settings(controllerSettings)}

## Keys of \`agent.config\`

The chart sets \`sentinelFile\` and, on Windows, \`windowsRegistry\` by \`agent.linux.hostRun\` and \`agent.windows.hostProcess\`, unless you do.

${settings(agentSettings)}
`;
}
