"""Todos. bloom_growth.md §3 rows 9–16, §5. They cannot be deleted."""

import msgspec

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Id, Written, updated
from sandbox.bloom_growth.instants import DAY_S, instant, midnight, read_instant, today
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.rows import MEETING_TODO, PERSONAL_TODO, Todo
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import ObjectView

_DUE_AFTER_S = 7 * DAY_S


class NewTodo(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of a create, spelt as by any client: ``accountableUserId`` or ``ForId``. §5 [docs:ref], [client]"""

    title: str | None = None
    accountable_user_id: Id | None = None
    for_id: Id | None = None
    notes: str | None = None
    details: str | None = None
    due_date: str | None = None


class TodoChange(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of an update: assignee and notes cannot be changed. §5 [client], [docs:ref], [test:live]"""

    title: str | None = None
    due_date: str | None = None


class TodoView(ObjectView, kw_only=True, rename="pascal", gc=False):
    """A todo as answered. A personal one has no origin. §5 [client]"""

    details_url: str | None
    due_date: str
    create_time: str
    complete_time: str | None
    close_time: str | None
    complete: bool
    origin_id: int | None
    origin: str | None
    todo_type: int
    ordering: int
    owner: UserView


class Todos:
    """Handlers of rows 9 to 16."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def create_in_meeting(self, call: Call) -> Written:
        new, meeting_id = call.body(NewTodo), call.number("mid")
        title = self._tenant.title(new.title)
        self._tenant.meeting(meeting_id, call.caller)
        named = new.accountable_user_id
        if named is None and self._tenant.settings.binds_for_id:
            named = new.for_id
        return self._create(call, new, title, named, meeting_id)

    def create_personal(self, call: Call) -> Written:
        new = call.body(NewTodo)
        named = new.accountable_user_id if self._tenant.settings.binds_personal_owner else None
        return self._create(call, new, self._tenant.title(new.title), named, None)

    def read(self, call: Call) -> TodoView:
        return self._view(call, call.number(), self._find(call))

    def update(self, call: Call) -> Written:
        key, todo, change = call.number(), self._find(call), call.body(TodoChange)
        if change.title is not None:
            todo.title = self._tenant.title(change.title)
        todo.due_at = read_instant("dueDate", change.due_date or "") or todo.due_at
        return updated(key, differs=self._tenant.todos.put(key, todo), title=change.title)

    def complete(self, call: Call) -> Written:
        """Complete, or with ``status=false`` reopen, but do not close. The answer is a JSON boolean. Row 13"""
        key, todo, is_done = call.number(), self._find(call), call.flag("status", default=True)
        if is_done != (todo.completed_at is not None):
            todo.completed_at = instant(call.now) if is_done else None
        return updated(key, differs=self._tenant.todos.put(key, todo), body=True)

    def of_caller(self, call: Call) -> list[TodoView]:
        return self._of_user(call, call.caller.id)

    def of_user(self, call: Call) -> list[TodoView]:
        return self._of_user(call, self._tenant.people.require(call.number("uid"), call.caller).id)

    def of_meeting(self, call: Call) -> list[TodoView]:
        """List todos; ``INCLUDE_CLOSED`` regards ``CloseTime`` alone: completed ones are listed. §5 [client:other]"""
        meeting_id, with_closed = call.number("mid"), call.flag("include_closed")
        self._tenant.meeting(meeting_id, call.caller)
        rows = self._tenant.todos.of_meeting(meeting_id)
        return [self._view(call, key, todo) for key, todo in rows if with_closed or todo.closed_at is None]

    def _create(self, call: Call, new: NewTodo, title: str, named: int | None, meeting_id: int | None) -> Written:
        owner_id = self._tenant.owner_id(named, call.caller)
        due_at = read_instant("dueDate", new.due_date or "") or midnight(today(call.now + _DUE_AFTER_S))
        todo = Todo(
            title=title,
            owner_id=owner_id,
            created_at=instant(call.now),
            notes=new.notes or new.details or "",
            noted_at=call.now,
            kind=PERSONAL_TODO if meeting_id is None else MEETING_TODO,
            meeting_id=meeting_id,
            due_at=due_at,
        )
        key = self._tenant.add(self._tenant.todos, todo)
        return Written(str(key), "CREATED", self._view(call, key, todo), title)

    def _find(self, call: Call) -> Todo:
        return self._tenant.find(self._tenant.todos, call.number(), call.caller)

    def _of_user(self, call: Call, user_id: int) -> list[TodoView]:
        rows = self._tenant.todos.of_person(user_id)
        return [self._view(call, key, todo) for key, todo in rows if todo.closed_at is None]

    def _view(self, call: Call, key: int, todo: Todo) -> TodoView:
        return TodoView(
            id=key,
            type="AngularTodo",
            key=f"AngularTodo_{key}",
            name=todo.title,
            details_url=self._tenant.pad_url(call, self._tenant.todos, key, todo),
            due_date=todo.due_at,
            create_time=todo.created_at,
            complete_time=todo.completed_at,
            close_time=todo.closed_at,
            complete=todo.completed_at is not None,
            origin_id=todo.meeting_id,
            origin=None if todo.meeting_id is None else self._tenant.meeting_name(todo.meeting_id),
            todo_type=todo.kind,
            ordering=0,
            owner=self._tenant.owner(todo.owner_id),
        )
