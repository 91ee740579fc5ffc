import type { EMBED_STEPS, Embedding } from '../../schemas/embedding.ts';

export type EmbedStep = (typeof EMBED_STEPS)[number];

/** Wall time by step, each named once, in the order of their first use. */
export class StepClock {
  readonly #durations = new Map<EmbedStep, number>();

  async measure<T>(step: EmbedStep, work: () => T | Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.add(step, performance.now() - started);
    }
  }

  add(step: EmbedStep, durationMs: number): void {
    this.#durations.set(step, (this.#durations.get(step) ?? 0) + Math.max(0, durationMs));
  }

  get stepMs(): Embedding['stepMs'] {
    return [...this.#durations].map(([step, durationMs]) => ({ step, durationMs }));
  }
}
