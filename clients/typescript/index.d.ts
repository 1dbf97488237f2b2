/** Whether a user may do something. */
export interface Question {
  subject: string;
  action: string;
  resource?: string;
  resource_type?: string;
  member?: string;
  field?: string;
  conversation?: "new" | "existing";
}

export interface Decision {
  decision: boolean;
  reason: string;
  obligations?: unknown[];
  stale?: boolean;
  user?: string;
  rules?: unknown[];
  more_rules?: number;
  gates?: unknown[];
}

export interface Allowed {
  allowed: boolean;
  reason: string;
  /** The header `Peerage-Obligations`, if there are any. */
  obligations: string | null;
}

/** The answer to a standing question; `at` counts the questions from 0. */
export interface Answer {
  at: number;
  decision: boolean;
  reason: string;
  obligations?: unknown[];
  revision: string;
}

/** A view that is served; `id` is its number. */
export interface Change {
  id: string;
  revision: string;
  all: boolean;
  users: string[];
  groups: string[];
  missed: boolean;
}

export interface Command {
  op: string;
  [field: string]: unknown;
}

export interface Outcome {
  ok: boolean;
  changed?: boolean;
  reason?: string;
  message?: string;
  state?: string;
  [field: string]: unknown;
}

export interface Written {
  revision: number;
  outcomes: Outcome[];
}

/** What a call may fail by. */
export class PeerageError extends Error {}

/** The daemon can't be reached, does not answer in time, or closed the connection. */
export class ConnectionFailed extends PeerageError {}

/** The daemon refused a request. */
export class RequestError extends PeerageError {
  readonly status: number;
  /** The parameter or place that is wrong, if it is one. */
  readonly at: string | null;
  /** The whole answer: of a batch that was refused, its outcomes. */
  readonly body: unknown;
}

export interface Options {
  token?: string;
  /** Milliseconds for a whole call, or for the head of a stream; 5000 unless given. */
  timeout?: number;
  fetch?: typeof globalThis.fetch;
}

export class Client {
  constructor(url?: string, options?: Options);
  decide(question: Question, options?: { explain?: boolean }): Promise<Decision>;
  /** Decides up to 1000 questions at once; the decisions have their order. */
  decideMany(questions: Question[]): Promise<Decision[]>;
  /** Decides by a status. */
  allow(question: Question): Promise<Allowed>;
  /** Lists the part that is left out, as pages are read. */
  reach(fields: Partial<Question>, options?: { page?: number }): AsyncGenerator<string, void, void>;
  /** Runs a batch, which takes effect whole or not at all; a refusal is a `RequestError` with status 409. */
  writeFacts(commands: Command[], options?: { ifRevision?: number; idempotencyKey?: string }): Promise<Written>;
  /** Answers each question, and again whenever its answer changes. */
  watch(questions: Question[], options?: { signal?: AbortSignal }): AsyncGenerator<Answer, void, void>;
  /** Tells each view that is served; a lost connection is made again after `pause` milliseconds. */
  changes(options?: {
    since?: string;
    reconnect?: boolean;
    pause?: number;
    signal?: AbortSignal;
  }): AsyncGenerator<Change, void, void>;
}
