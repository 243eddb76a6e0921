"""What holds of histories wherever a registry lies."""

from histories.clients import Task
from histories.judged import CALLS, YANKS, judge


class HistoriesContract:
    """Subclasses say where the registry lies, and how many histories are judged."""

    where: str
    random: int
    judged: int

    def test_random_commands(self, crowd, place, sources):
        task = Task(place(0), sources, f"random commands on {self.where}", CALLS)
        judge(crowd, task, self.random, place)

    def test_yanks_against_moves(self, crowd, place, sources):
        task = Task(place(0), sources, f"yanks against moves on {self.where}", CALLS, YANKS, ("1.0.0", "1.1.0"))
        judge(crowd, task, self.judged, place)
