/** `drover agent`: reads the settings and hands over to the process that src/main wires. */
import { readAgentConfig } from '../agent-config.ts';
import type { Context } from '../command.ts';
import { readYaml } from '../config-file.ts';
import { CommandError } from '../errors.ts';
import type { AgentFlags } from './command.ts';

export async function run(context: Context, _args: readonly string[], { config: file, ...flags }: AgentFlags): Promise<number> {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null));
  const written = file === null ? {} : await readYaml(file);
  const fromEnvironment = context.env['NODE_NAME'];
  const config = readAgentConfig(written, given, file ?? 'flags');
  const nodeName = config.nodeName ?? fromEnvironment;
  if (!nodeName)
    throw new CommandError('the node is not known: set nodeName, --node-name, or the environment variable NODE_NAME');
  return context.startAgent({ ...config, nodeName });
}
