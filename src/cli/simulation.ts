/** What the command line asks of the simulated cluster; src/main wires it. */
import type { Scenario } from '../sim/scenario/schema.ts';
import type { ServiceTraffic } from '../sim/traffic/traffic.ts';

export interface SimulationSettings {
  readonly scenario: Scenario;
  /** What it is called in errors. */
  readonly source: string;
  /** Of the API server on 127.0.0.1; 0: any free one. */
  readonly port: number;
  /** 1 is real time. */
  readonly speed: number;
  readonly seed: number;
}

export interface Simulation {
  readonly url: string;
  /** Text of a kubeconfig with one context. */
  readonly kubeconfig: string;
  readonly nodes: number;
  /** What became of the requests to its Services, until now. */
  traffic(): readonly ServiceTraffic[];
  close(): Promise<void>;
}

/** Resolves when the cluster answers. @throws CommandError when the port cannot be had, or something of the file is refused */
export type StartSimulation = (settings: SimulationSettings) => Promise<Simulation>;

/** Other processes, by their ids. */
export interface Processes {
  /** Runs this very program in the background, with its output in a file. */
  start(argv: readonly string[], logFile: string): { readonly pid: number; hasEnded(): boolean };
  isAlive(pid: number): boolean;
  /** Asks it to end (SIGTERM). */
  end(pid: number): void;
}
