/** `drover adopt`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../command.ts';
import { CommandError, exitCode, UsageError } from '../errors.ts';
import { yamlText } from '../yaml-text.ts';
import type { AdoptFlags } from './command.ts';
import { fit } from './fit.ts';
import { readCluster, readFiles } from './read.ts';
import { reportLines } from './report.ts';
import { adoptAll, isTool, toolNames } from './tools.ts';
import { chartValues } from './values.ts';

export async function run(context: Context, args: readonly string[], { filename, outputDir }: AdoptFlags): Promise<number> {
  if (filename === null && args.length > 0) throw new UsageError('takes files only with -f');
  const { screen } = context;
  const objects = filename === null ? await readCluster(await context.client(), isTool) : await readFiles([filename, ...args]);
  const adoptions = adoptAll(objects);
  if (adoptions.length === 0) {
    const where = filename === null ? 'in the cluster' : `in ${[filename, ...args].join(', ')}`;
    throw new CommandError(`none of the tools that drover adopts is ${where}: ${toolNames.join(', ')}`);
  }
  const names = new Set<string>();
  const fitted = adoptions.map((adoption) => ({
    adoption,
    policies: adoption.policies.map((policy) => fit({ ...policy, metadata: { name: unique(policy.metadata.name, names) } })),
  }));
  const policies = fitted.flatMap((each) => each.policies.map(({ policy }) => `---\n${yamlText(policy)}`)).join('');
  const values = chartValues(adoptions);
  const report = fitted.flatMap(({ adoption, policies: own }) => [
    ...reportLines(
      adoption,
      own.flatMap(({ left }) => left),
    ),
    '',
  ]);
  if (outputDir === null) {
    const comments = [
      'values for the Helm chart:',
      '',
      ...(values === null ? ['none'] : yamlText(values).trimEnd().split('\n')),
      '',
      ...report,
    ];
    screen.out(`${policies}---\n${comments.map((line) => `# ${line}`.trimEnd()).join('\n')}`);
    return exitCode.ok;
  }
  await mkdir(outputDir, { recursive: true });
  await writeFile(join(outputDir, 'policies.yaml'), policies);
  if (values !== null) await writeFile(join(outputDir, 'values.yaml'), yamlText(values));
  await writeFile(join(outputDir, 'report.txt'), report.join('\n'));
  for (const line of report) screen.out(line);
  screen.out(`wrote policies.yaml, ${values === null ? '' : 'values.yaml, '}report.txt to ${outputDir}`);
  return exitCode.ok;
}

/** kured is often there once per pool: "kured", "kured-2". */
function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${name}-${count}`;
  taken.add(free);
  return free;
}
