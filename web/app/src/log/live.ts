/** What changes outside of React, for useSyncExternalStore: what shows of it is made anew once a frame at most. */
export abstract class Live<Shown> {
  private readonly listeners = new Set<() => void>();
  private frame = 0;
  private shown: Shown | undefined;

  /** show is what shows of it now. */
  protected abstract show(): Shown;

  subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  get = (): Shown => (this.shown ??= this.show());

  protected changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.shown = this.show();
      for (const tell of this.listeners) tell();
    });
  }
}
