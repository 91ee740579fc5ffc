import { HomewardError } from '../../schemas/error.ts';

/** Bounds how many streams of bytes come in at once: each is a core's work and a disk's, and they are long. */
export class UploadStreams {
  readonly #most: number;
  readonly #mostOfOrganisation: number;
  readonly #organisations: string[] = [];

  /** @param mostOfOrganisation so that none takes the places of all */
  constructor(most: number, mostOfOrganisation: number) {
    this.#most = most;
    this.#mostOfOrganisation = mostOfOrganisation;
  }

  /** @throws HW_BUSY */
  async run<T>(organisationId: string, work: () => Promise<T>): Promise<T> {
    const ofSame = this.#organisations.filter((one) => one === organisationId).length;
    if (this.#organisations.length >= this.#most || ofSame >= this.#mostOfOrganisation)
      throw new HomewardError(
        'HW_BUSY',
        `expected at most ${this.#most} uploads at once, ${this.#mostOfOrganisation} of an organisation, received one more; send it again when one has ended`,
      );
    this.#organisations.push(organisationId);
    try {
      return await work();
    } finally {
      this.#organisations.splice(this.#organisations.indexOf(organisationId), 1);
    }
  }
}
