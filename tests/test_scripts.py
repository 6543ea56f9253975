"""Scripts written for PyTorch train here to the same losses, with only their imports changed.

Each script is a text. It is run twice, as it stands and after `translated`, on the same arrays and
from the same initial weights, and must print the same losses.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch

IMPORTS = {
    "import torch\n": "import minigrad as torch\n",
    "from torch import nn, optim\n": "from minigrad import nn, optim\n",
    "import torch.nn.functional as F\n": "import minigrad.nn.functional as F\n",
}

HEAD = """
import torch
from torch import nn, optim
import torch.nn.functional as F
"""

OPTIMIZERS = {
    "SGD": "optim.SGD(model.parameters(), lr=0.05, momentum=0.9)",
    "Adam": "optim.Adam(model.parameters(), lr=0.01)",
}

MLP = """
class Net(nn.Module):
    def __init__(self, in_features, hidden, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(in_features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        return self.head(self.features(x))


torch.manual_seed(0)
X = torch.from_numpy(inputs).double()
y = torch.tensor(labels, dtype=torch.int64)
model = Net(X.size(1) * X.size(2), 16, 3).double()
model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
criterion = nn.CrossEntropyLoss()
optimizer = OPTIMIZER

losses = []
model.train()
for epoch in range(5):
    for start in range(0, len(X), 16):
        xb, yb = X[start:start + 16], y[start:start + 16]
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

model.eval()
with torch.no_grad():
    logits = model(X)
    pred = logits.argmax(dim=1)
    accuracy = (pred == y).float().mean().item()
    losses.append(F.cross_entropy(logits, y).item())
    probabilities = F.softmax(logits, dim=-1)
    top, classes = probabilities.max(dim=1)
    assert (classes == pred).all()
    losses.append(top.mean().item())
    correct = (pred == y).sum().item()
    assert abs(correct / y.size(0) - accuracy) < 1e-6
losses.append(accuracy)
"""

LSTM = """
class Classifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes):
        super(Classifier, self).__init__()
        self.hidden_size = hidden_size
        self.lstm = nn.LSTM(
            input_size, hidden_size, num_layers=2, batch_first=True, bidirectional=True
        )
        self.fc = nn.Linear(2 * hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(4, x.size(0), self.hidden_size, dtype=x.dtype)
        c0 = torch.zeros(4, x.size(0), self.hidden_size, dtype=x.dtype)
        out, (hn, cn) = self.lstm(x, (h0, c0))
        last = torch.cat((hn[-2], hn[-1]), dim=1)
        return self.fc(out[:, -1, :] + last)


X = torch.from_numpy(inputs).double()
y = torch.from_numpy(labels).long()
model = Classifier(X.shape[-1], 8, 3).double()
model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
optimizer = OPTIMIZER
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)

losses = []
for step in range(10):
    model.train()
    output = model(X)
    loss = F.cross_entropy(output, y)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
    losses.append(float(norm))

with torch.no_grad():
    model.eval()
    _, predicted = torch.max(model(X), 1)
    losses.append((predicted == y).double().mean().item())
losses.append(sum(p.numel() for p in model.parameters() if p.requires_grad))
"""

TRANSFORMER = """
class Block(nn.Module):
    def __init__(self, vocabulary, d_model, nhead, classes, length):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, d_model)
        self.position = nn.Parameter(torch.zeros(1, length, d_model))
        layer = nn.TransformerEncoderLayer(
            d_model, nhead, dim_feedforward=16, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, num_layers=2, norm=nn.LayerNorm(d_model), enable_nested_tensor=False
        )
        self.attention = nn.MultiheadAttention(d_model, nhead, batch_first=True)
        self.head = nn.Linear(d_model, classes)

    def forward(self, tokens):
        batch, length = tokens.shape
        x = self.embedding(tokens) + self.position[:, :length]
        mask = torch.triu(torch.ones(length, length), diagonal=1) == 1
        padding = tokens == 0
        x = self.encoder(x, mask=mask, src_key_padding_mask=padding)
        q = x.mean(dim=1, keepdim=True)
        pooled, attention = self.attention(q, x, x, key_padding_mask=padding)
        assert attention.shape == (batch, 1, length)
        return self.head(pooled.squeeze(1))


tokens = torch.tensor(words)
y = torch.tensor(labels)
model = Block(10, 8, 2, 3, tokens.size(1)).double()
model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = OPTIMIZER

losses = []
for step in range(10):
    model.train()
    optimizer.zero_grad(set_to_none=True)
    logits = model(tokens)
    loss = loss_fn(logits, y)
    loss.backward()
    optimizer.step()
    losses += [loss.detach().item()]

model.eval()
with torch.no_grad():
    logits = model(tokens)
    accuracy = (logits.argmax(dim=-1) == y).float().mean()
    losses.append(accuracy.item())
    log_probabilities = F.log_softmax(logits, dim=1)
    losses.append(F.nll_loss(log_probabilities, y).item())
    losses.append(-log_probabilities.gather(1, y.unsqueeze(1)).mean().item())
"""

CNN = """
class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(p=0.0)
        self.fc1 = nn.Linear(6 * 2 * 1, 8)
        self.fc2 = nn.Linear(8, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = self.drop(F.gelu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


X = torch.tensor(inputs, dtype=torch.float64).unsqueeze(1)
X = F.pad(X, (1, 1, 1, 1))
y = torch.tensor(labels).long()
model = Net(3).double()
model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
optimizer = OPTIMIZER

losses = []
for step in range(10):
    model.train()
    optimizer.zero_grad()
    output = model(X)
    loss = F.nll_loss(output, y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    losses.append(loss.item())

model.eval()
with torch.no_grad():
    output = model(X)
    losses.append(F.nll_loss(output, y, reduction="sum").item())
    pred = output.argmax(dim=1, keepdim=True)
    losses.append(pred.eq(y.view_as(pred)).sum().item() / len(X))
"""

SCRIPTS = {"MLP": MLP, "CNN": CNN, "LSTM": LSTM, "transformer": TRANSFORMER}


def translated(script: str) -> str:
    """The script with its imports changed, and nothing else."""
    for theirs, ours in IMPORTS.items():
        assert theirs in script
        script = script.replace(theirs, ours)
    return script


def data() -> dict[str, Any]:
    """Small synthetic data: three classes of sequences, and of words with padding behind them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 32)
    inputs = random.standard_normal((32, 6, 4)) + 0.5 * labels[:, None, None]
    words = random.integers(1, 10, (32, 6))
    words[::3, 4:] = 0
    return {"inputs": inputs, "labels": labels, "words": words}


class Stop(Exception):  # noqa: N818 - not an error: the model is made
    """Ends a script once its weights are asked for."""


class Weights(dict[str, Any]):
    """Stands for the initial weights in a script run only to see its model made."""

    def items(self) -> Any:
        """End the script here."""
        raise Stop


def initial_weights(script: str, torch: ModuleType) -> dict[str, np.ndarray]:
    """The weights with which PyTorch makes the script's model, as NumPy arrays."""
    torch.manual_seed(1)
    names: dict[str, Any] = {**data(), "weights": Weights()}
    with pytest.raises(Stop):
        exec(compile(script, "script.py", "exec"), names)  # noqa: S102 - texts of this file
    return {name: tensor.numpy().copy() for name, tensor in names["model"].state_dict().items()}


def losses(script: str, weights: dict[str, np.ndarray]) -> list[float]:
    """What the script collects in ``losses``."""
    copies = {name: value.copy() for name, value in weights.items()}
    names: dict[str, Any] = {**data(), "weights": copies}
    exec(compile(script, "script.py", "exec"), names)  # noqa: S102
    found: list[float] = names["losses"]
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_train_to_pytorchs_losses(torch: ModuleType, name: str, optimizer: str) -> None:
    """Ten steps in float64 from the same weights give the losses of PyTorch to 1e-9."""
    script = HEAD + SCRIPTS[name].replace("OPTIMIZER", OPTIMIZERS[optimizer])
    weights = initial_weights(script, torch)
    wanted = losses(script, weights)
    found = losses(translated(script), weights)
    assert wanted[0] > wanted[9]
    # The accuracies are float32 means, as the scripts ask with .float().
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
