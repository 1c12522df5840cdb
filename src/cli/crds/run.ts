import { crds } from '../../api/crd.ts';
import type { Context } from '../command.ts';
import { exitCode } from '../errors.ts';
import { yamlText } from '../yaml-text.ts';
import type { CrdsFlags } from './command.ts';

export async function run({ screen }: Context, _args: readonly string[], { output }: CrdsFlags): Promise<number> {
  if (output === 'json') screen.out(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: crds() }, null, 2));
  else for (const crd of crds()) screen.out(`---\n${yamlText(crd)}`);
  return exitCode.ok;
}
